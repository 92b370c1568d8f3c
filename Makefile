# `make help` lists what there is. Targets check first that their tools are there; scripts/need
# installs what the distribution has.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.release=$(VERSION)
BUILD   := go build -trimpath -ldflags '$(LDFLAGS)'

# Tools of development, at versions that are known to work together. templ is pinned in go.mod.
LINT_VERSION := 2.15.0
LINT         := .bin/golangci-lint
VULN_VERSION := v1.9.0

# Generated files name their template relative to this path.
TEMPL := go tool templ generate -log-level error -path views

PEER     := internal/sim/googlepeer
FUZZTIME ?= 60s
CUTS     ?= 200

export CGO_ENABLED := 1

.PHONY: help demo build test lint generate fresh cross bench torture vuln fuzz powercut clean
.DEFAULT_GOAL := help

help: ## list the targets
	@echo 'The room kiosk. Start with: make demo'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## build and run three rooms on simulated services
	bin/kiosk demo

build: ## build bin/kiosk for this machine
	@scripts/need go git cc
	$(BUILD) -o bin/kiosk ./cmd/kiosk

test: ## run all tests with the race detector; installs a browser and CalDAV servers if they are missing
	@scripts/need go git cc chromium radicale xandikos expander
	@race=$$(scripts/race) && set -x && go test $$race ./... && \
		{ [ ! -f $(PEER)/go.mod ] || (cd $(PEER) && go test $$race ./...); }

lint: ## run golangci-lint; installs the pinned version into .bin
	@scripts/need go git cc
	@[ "$$($(LINT) version --short 2>/dev/null)" = $(LINT_VERSION) ] || \
		GOBIN=$(CURDIR)/.bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(LINT_VERSION)
	$(LINT) run ./...
	@[ ! -f $(PEER)/go.mod ] || (cd $(PEER) && $(CURDIR)/$(LINT) run ./...)

generate: ## write *_templ.go anew
	@scripts/need go git cc
	$(TEMPL)

fresh: ## check that generated files, formatting and go.mod are as committed
	@scripts/need go git cc
	$(TEMPL)
	git diff --exit-code -- '*_templ.go'
	@new=$$(git ls-files --others --exclude-standard -- '*_templ.go') && \
		{ [ -z "$$new" ] || { echo "not committed: $$new"; exit 1; }; }
	@bad=$$(git ls-files --cached --others --exclude-standard -- '*.go' | xargs gofmt -l) && \
		{ [ -z "$$bad" ] || { echo "not formatted, run gofmt -w: $$bad"; exit 1; }; }
	go mod tidy -diff
	@[ ! -f $(PEER)/go.mod ] || (cd $(PEER) && go mod tidy -diff)

cross: ## build bin/kiosk-arm64 for a Raspberry Pi; installs the compiler if it is missing
	@scripts/need go git cross
	GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc $(BUILD) -o bin/kiosk-arm64 ./cmd/kiosk

bench: ## measure what the design promises, as one table
	@scripts/need go git cc chromium
	go run ./internal/bench

torture: ## kill, damage and outlast it; TORTURE='-only kill -cycles 100' takes part of that
	@scripts/need go git cc chromium
	go run ./internal/torture $(TORTURE)

vuln: ## look for known vulnerabilities; needs vuln.go.dev
	@scripts/need go git cc
	go run golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION) ./...

fuzz: ## run each fuzz target for FUZZTIME (60s)
	@scripts/need go git cc
	@scripts/fuzz $(FUZZTIME)

powercut: ## cut the power of a virtual kiosk CUTS (200) times, and of one that must lose taps; installs QEMU
	@scripts/need go git cc vm
	go run ./internal/powercut -cuts $(CUTS)

clean: ## remove what was built
	rm -rf bin .artefacts
