package rules_test

// What the register names ahead of the program. It shrinks to nothing.
var (
	untested        = []string{}
	awaitedCommands = []string{}
	awaitedMessages = []string{}
)
