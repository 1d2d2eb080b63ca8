# Everything a developer types. Needs Go and nothing else.
LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run build test race lint fmt fuzz bench crash golden

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: ## Start everything on embedded defaults, with a small demo tenant
	go run ./cmd/konto dev

build: ## Build bin/konto
	CGO_ENABLED=0 go build -trimpath -o bin/konto ./cmd/konto

test: ## Run all tests (under 3 minutes; no docker, no network)
	go test ./...

race: ## Run all tests under the race detector
	go test -race -shuffle=on ./...

lint: ## Check style and formatting
	go run $(LINT) run ./...
	go run $(LINT) fmt --diff ./...
	go vet ./...
	go mod tidy -diff

fmt: ## Format
	go run $(LINT) fmt ./...

fuzz: ## Fuzz every parser, FUZZTIME (default 30s) each
	@for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
		for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]*' $$f | cut -d' ' -f2); do \
			echo "== $$t in $$(dirname $$f)"; go test -run '^$$' -fuzz "^$$t$$" -fuzztime $${FUZZTIME:-30s} $$(dirname $$f) || exit 1; \
		done; done

bench: ## Measure commands, store, lag and folds beside their ceilings
	go run ./cmd/konto bench

crash: ## Kill the running system at random moments, CYCLES (default 200) times
	KONTO_CRASH_CYCLES=$${CYCLES:-200} go test -count=1 -timeout 60m -run '^TestCrash' -v ./cmd/konto

golden: ## Write the golden files anew; look at the diff before you commit it
	go test ./domain -update
