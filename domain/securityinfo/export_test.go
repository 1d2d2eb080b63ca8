package securityinfo

// VerificationID is for tests that name what a command makes.
var VerificationID = verificationID

// RemovalID is the ID of a removal by command.
func RemovalID(command string, slot Slot) string {
	return derivedID("konto removal", command, string(slot))
}

// ResetID is the ID of a reset that command began.
func ResetID(command string) string { return derivedID("konto reset", command, "") }
