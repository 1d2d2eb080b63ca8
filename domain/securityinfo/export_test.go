package securityinfo

// VerificationID is exported for the tests.
var VerificationID = verificationID
