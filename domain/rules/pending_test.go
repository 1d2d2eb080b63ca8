package rules_test

// What the register names ahead of the program. It shrinks to nothing.
var (
	untested        = []string{"C12", "P12"}
	awaitedCommands = []string{"SubmitFeedback"}
	awaitedMessages = []string{}
)
