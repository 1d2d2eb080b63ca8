# Everything a developer types. Needs Go and nothing else; only "make proto"
# needs protoc, too (3.21 or later: apt-get install protobuf-compiler).
PROTOC_GEN_GO = google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
PROTOC_GEN_GO_GRPC = google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0
LINT = github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.DEFAULT_GOAL := help
.PHONY: help run build test test-node race lint fmt fuzz fuzz-blind fuzz-commands models bench crash torture golden proto conformance

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

run: ## Start everything on embedded defaults, with a small demo tenant
	go run ./cmd/konto dev

build: ## Build bin/konto
	CGO_ENABLED=0 go build -trimpath -o bin/konto ./cmd/konto

test: ## Run all tests (under 3 minutes; no docker, no network)
	go test ./...

test-node: ## Run Konto's tests on the embedded node, through EventStoreDB's client
	KONTO_TEST_STORE=node go test ./internal/command ./internal/system
	KONTO_TEST_STORE=node go test -run '^Test(Scripts|Readme)$$' ./cmd/konto

race: ## Run all tests under the race detector
	GORACE=atexit_sleep_ms=0 go test -race -shuffle=on -timeout 25m ./...

lint: ## Check style and formatting
	go run $(LINT) run ./...
	go run $(LINT) fmt --diff ./...
	go vet ./...
	go mod tidy -diff

fmt: ## Format
	go run $(LINT) fmt ./...

fuzz: ## Fuzz every target or FUZZ alone, FUZZTIME (default 30s; 100000x is a count) each
	@for f in $$(grep -rlE "^func $${FUZZ:-Fuzz[A-Za-z0-9_]*}\b" --include='*_test.go' .); do \
		for t in $$(grep -oE "^func $${FUZZ:-Fuzz[A-Za-z0-9_]*}\b" $$f | cut -d' ' -f2); do \
			echo "== $$t in $$(dirname $$f)"; go test -run '^$$' -fuzz "^$$t$$" -fuzztime $${FUZZTIME:-30s} $$(dirname $$f) || exit 1; \
		done; done

fuzz-blind: ## Fuzz on from what fuzz found without watching coverage, 10 to 30 times as fast
	@for f in $$(grep -rlE "^func $${FUZZ:-Fuzz[A-Za-z0-9_]*}\b" --include='*_test.go' .); do \
		go test -c -o bin/fuzz.test $$(dirname $$f) || exit 1; \
		for t in $$(grep -oE "^func $${FUZZ:-Fuzz[A-Za-z0-9_]*}\b" $$f | cut -d' ' -f2); do \
			echo "== $$t in $$(dirname $$f)"; (cd $$(dirname $$f) && $(CURDIR)/bin/fuzz.test -test.run '^$$' -test.fuzz "^$$t$$" \
				-test.fuzztime $${FUZZTIME:-30s} -test.fuzzcachedir "$$(go env GOCACHE)/fuzz/$$(go list)") || exit 1; \
		done; done

fuzz-commands: export FUZZ = FuzzCommands
fuzz-commands: export KONTO_FUZZ_TALLY = $(CURDIR)/bin/tally
fuzz-commands: ## Fuzz the bodies of all commands FUZZTIME each way; bin/tally counts what came of them
	rm -rf bin/tally && mkdir -p bin/tally
	$(MAKE) fuzz
	$(MAKE) fuzz-blind
	@cat bin/tally/*.json

models: ## Compare the domain with its models for a million commands each
	go test -count=1 -timeout 60m ./domain/securityinfo -run '^Test(Model|Walk)$$' -rapid.checks=20000 -rapid.steps=50
	go test -count=1 -timeout 60m ./domain/collection -run '^TestModel$$' -rapid.checks=10000 -rapid.steps=100
	go test -count=1 -timeout 60m -v ./domain/policy -run '^TestSimulatedCases$$' -cases 10000
	go test -count=1 -timeout 60m ./domain/policy -run '^TestWalletModel$$' -rapid.checks=10000 -rapid.steps=100
	go test -count=1 -timeout 60m ./domain/relationship -run '^TestModel$$' -relationship.commands 1000000
	go test -count=1 -timeout 60m ./domain/audit -run '^TestModel$$' -audit.commands 1000000
	go test -count=1 -timeout 60m ./domain/admin -run '^TestLife$$' -many
	go test -count=1 -timeout 60m -v ./internal/httpapi -run '^TestHistoriesFoldAlike$$' -histories 20000

bench: ## Measure commands, store, lag and folds beside their ceilings
	go run ./cmd/konto bench

crash: ## Kill the running system and a node at random moments, CYCLES (default 200) times
	KONTO_CRASH_CYCLES=$${CYCLES:-200} go test -count=1 -timeout 60m -run '^Test(Node)?Crash' -v ./cmd/konto

torture: ## Cut the node's power CUTS (default 3000) times, check HISTORIES (2000), plant bugs
	go test -count=1 -timeout 60m ./eventstore/node/engine -run PowerCuts -cuts=$${CUTS:-3000}
	go test -count=1 -timeout 60m ./eventstore/node/engine -run '^TestLinearizable$$' -histories=$${HISTORIES:-2000}
	go test -count=1 -timeout 60m -v ./eventstore/node/engine -run '^TestPlantedBugs$$' -plant

conformance: ## Run the official clients' checks against the node (network; port 2113; node and npm)
	KONTO_CONFORMANCE=1 go test -count=1 -parallel 6 -timeout 15m -v ./eventstore/node/conformance

golden: ## Write the golden files anew; look at the diff before you commit it
	go test ./domain ./domain/rules -update

proto: CLIENT = github.com/EventStore/EventStore-Client-Go/v4
proto: SHARED = Mshared.proto=$(CLIENT)/protos/shared
proto: ## Generate eventstore/node/proto from its .proto files (needs protoc)
	GOBIN=$(CURDIR)/bin go install $(PROTOC_GEN_GO)
	GOBIN=$(CURDIR)/bin go install $(PROTOC_GEN_GO_GRPC)
	cd eventstore/node && PATH="$(CURDIR)/bin:$$PATH" protoc \
		-I . -I "$$(go list -m -f '{{.Dir}}' $(CLIENT))/protos" \
		--go_out=. --go_opt=module=konto/eventstore/node,$(SHARED) \
		--go-grpc_out=. --go-grpc_opt=module=konto/eventstore/node,$(SHARED) proto/*.proto
