# ProxPanel. Run `make` alone to see what can be done.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

DATA := run/data
BIN := target/release/proxpanel
ARCH ?= $(shell dpkg --print-architecture)

.PHONY: help
help: ## Say what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## Build and start ProxPanel with demo data, on ports that need no rights
	cargo build --release --locked
	@mkdir -p run
	[ -n "$$(ls -A $(DATA) 2>/dev/null)" ] || $(BIN) demo --subscribers 200 --sessions 40 --days 7 --data-dir $(DATA)
	exec $(BIN) serve --data-dir $(DATA) --web-listen 127.0.0.1:8080 --auth-listen 127.0.0.1:18120 --acct-listen 127.0.0.1:18130 --radsec-listen 127.0.0.1:20830 --greet

.PHONY: test
test: deps ## Run every test: unit, protocol vectors, integration, browser
	@if cargo nextest --version >/dev/null 2>&1; then \
	  cargo test --locked --doc && cargo nextest run --locked; \
	else \
	  cargo test --locked; \
	fi

.PHONY: check
check: ## Formatting, lints as errors, and the dependency check
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	.ci/cargo-deny check licenses bans sources

.PHONY: bench
bench: ## Measure the release daemon for ten minutes, and FreeRADIUS beside it where it is installed
	cargo bench --locked

.PHONY: deb
deb: ## Build the Debian package into target/deb: ARCH=amd64 or ARCH=arm64
	packaging/install-build-tools $(ARCH)
	@mkdir -p target/deb
	DEB_DESTDIR=$(CURDIR)/target/deb dpkg-buildpackage -b -us -uc -a$(ARCH) \
	  --buildinfo-option=-utarget/deb --buildinfo-file=target/deb/proxpanel_$(ARCH).buildinfo \
	  --changes-option=-utarget/deb --changes-file=target/deb/proxpanel_$(ARCH).changes
	@ls -l target/deb/*_$(ARCH).deb

.PHONY: test-package
test-package: ## Try the built packages, amd64 in clean machines and arm64 under an emulator; needs root
	packaging/test/run

.PHONY: fuzz
fuzz: ## Fuzz the packet decoder longer than `make test` does: FUZZ_SECONDS=60
	BOLERO_RANDOM_TEST_TIME_MS=$$(( $${FUZZ_SECONDS:-60} * 1000 )) cargo test --release --locked --lib fuzz

.PHONY: deps
deps: ## Install what the tests need from the distribution, when it is missing
	.ci/install-test-tools
