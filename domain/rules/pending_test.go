package rules_test

// What the register names ahead of the program. It shrinks to nothing.
var (
	untested        = []string{"S14", "C12", "P12"}
	awaitedCommands = []string{
		"UpdateOrganizationProfile", "ChangeTechnicalContact", "ChangePreferredLanguage", "ChangeOrganizationContactEmail",
		"ChangeSoldToAddress", "GrantFormerUserDataAccess", "RevokeFormerUserDataAccess", "SubmitFeedback",
	}
	awaitedMessages = []string{}
)
