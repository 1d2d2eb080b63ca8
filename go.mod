module konto

go 1.26.0

// What each is for; nothing here is something that Konto exists for.
require (
	charm.land/lipgloss/v2 v2.0.6 // colour for people at a terminal
	github.com/EventStore/EventStore-Client-Go/v4 v4.2.0 // EventStoreDB, and the messages of its protocol
	github.com/anishathalye/porcupine v1.3.1 // tests: is a history of appends linearizable
	github.com/charmbracelet/x/term v0.2.2 // the terminal's width
	github.com/chromedp/cdproto v0.159.0 // tests: looking at pages
	github.com/chromedp/chromedp v0.23.0 // tests: looking at pages in Chromium
	github.com/cockroachdb/errors v1.11.3 // what pebble's file system calls a missing file
	github.com/cockroachdb/pebble/v2 v2.1.7 // the embedded event store's storage engine
	github.com/coreos/go-oidc/v3 v3.21.0 // verification of access tokens
	github.com/danielgtaylor/huma/v2 v2.39.0 // OpenAPI, binding and validation of queries
	github.com/emersion/go-message v0.18.2 // reading mail
	github.com/emersion/go-sasl v0.0.0-20241020182733-b788ff22d5a6 // authentication of the tests' mail server
	github.com/emersion/go-smtp v0.25.1 // receiving mail
	github.com/go-jose/go-jose/v4 v4.1.8 // keys and signatures of tokens
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3 // strict and fast JSON
	github.com/gofrs/flock v0.13.1 // one process per data directory
	github.com/goodsign/monday v1.0.2 // dates in four languages
	github.com/google/go-cmp v0.7.0 // tests: readable differences
	github.com/google/uuid v1.6.0 // identifiers (RFC 9562)
	github.com/hashicorp/golang-lru/v2 v2.0.7 // the cache of folded states
	github.com/jackc/pgx/v5 v5.12.0 // PostgreSQL
	github.com/knadh/koanf/parsers/yaml v1.1.1 // configuration
	github.com/knadh/koanf/providers/env/v2 v2.0.2 // configuration
	github.com/knadh/koanf/providers/file v1.2.1 // configuration
	github.com/knadh/koanf/v2 v2.4.1 // configuration from several places
	github.com/mattn/go-isatty v0.0.24 // is a person looking
	github.com/nats-io/nats-server/v2 v2.15.2 // the embedded bus
	github.com/nats-io/nats.go v1.55.0 // the bus
	github.com/nicksnyder/go-i18n/v2 v2.7.0 // messages in four languages
	github.com/nyaruka/phonenumbers v1.8.1 // numbering plans (libphonenumber)
	github.com/prometheus/client_golang v1.25.0 // metrics
	github.com/rogpeppe/go-internal v1.16.0 // tests: scripts that run the program
	github.com/rs/zerolog v1.35.1 // the log
	github.com/spf13/cobra v1.10.2 // the command line
	github.com/spf13/pflag v1.0.10 // what cobra's flags are
	github.com/stripe/stripe-go/v85 v85.0.0 // signatures of Stripe's webhooks, and its codes in tests
	github.com/vbauerster/mpb/v8 v8.15.2 // progress bars
	github.com/wneessen/go-mail v0.8.1 // sending mail
	go.opentelemetry.io/otel v1.47.0 // traces
	go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp v1.47.0 // export of traces
	go.opentelemetry.io/otel/sdk v1.47.0 // traces
	go.opentelemetry.io/otel/trace v1.47.0 // traces
	go.uber.org/goleak v1.3.0 // tests: no goroutine is left
	golang.org/x/net v0.60.0 // internationalized domain names (IDNA2008)
	golang.org/x/sync v0.24.0 // groups of goroutines that share an error
	golang.org/x/sys v0.49.0 // the sync that everything is measured against
	golang.org/x/text v0.43.0 // languages, numbers and strings by Unicode's rules
	golang.org/x/time v0.16.0 // the number of requests a minute
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260928230214-8a89bd6388cc // the status inside batch appends
	google.golang.org/grpc v1.83.2 // EventStoreDB's protocol
	google.golang.org/protobuf v1.36.12 // EventStoreDB's protocol
	modernc.org/sqlite v1.60.1 // the read database, without cgo
	pgregory.net/rapid v1.3.0 // tests: properties and state machines
)

require (
	github.com/DataDog/zstd v1.5.7 // indirect
	github.com/RaduBerinde/axisds v0.1.0 // indirect
	github.com/RaduBerinde/btreemap v0.0.0-20250419174037-3d62b7205d54 // indirect
	github.com/VividCortex/ewma v1.2.0 // indirect
	github.com/acarl005/stripansi v0.0.0-20180116102854-5a71ef0e047d // indirect
	github.com/antithesishq/antithesis-sdk-go v0.8.0-default-no-op // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/biter777/countries v1.7.5 // the countries (ISO 3166)
	github.com/bojanz/address v1.3.3 // what an address looks like in each country
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/charmbracelet/colorprofile v0.4.3 // indirect
	github.com/charmbracelet/ultraviolet v0.0.0-20260811164956-006e29f97886 // indirect
	github.com/charmbracelet/x/ansi v0.11.8 // indirect
	github.com/charmbracelet/x/termios v0.1.1 // indirect
	github.com/charmbracelet/x/windows v0.2.2 // indirect
	github.com/clipperhouse/displaywidth v0.11.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/cockroachdb/crlib v0.0.0-20241112164430-1264a2edc35b // indirect
	github.com/cockroachdb/logtags v0.0.0-20230118201751-21c54148d20b // indirect
	github.com/cockroachdb/redact v1.1.5 // indirect
	github.com/cockroachdb/swiss v0.0.0-20260820225851-333444432258 // indirect
	github.com/cockroachdb/tokenbucket v0.0.0-20230807174530-cc333fc44b06 // indirect
	github.com/dustin/go-humanize v1.0.1 // indirect
	github.com/fsnotify/fsnotify v1.9.0 // indirect
	github.com/getsentry/sentry-go v0.27.0 // indirect
	github.com/go-chi/chi/v5 v5.3.1 // indirect
	github.com/go-logr/logr v1.4.4 // indirect
	github.com/go-logr/stdr v1.2.2 // indirect
	github.com/go-viper/mapstructure/v2 v2.5.0 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/golang/snappy v0.0.5-0.20231225225746-43d5d4cd4e0e // indirect
	github.com/google/go-tpm v0.9.8 // indirect
	github.com/grpc-ecosystem/grpc-gateway/v2 v2.30.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/knadh/koanf/maps v0.1.2 // indirect
	github.com/kr/pretty v0.3.1 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/lucasb-eyer/go-colorful v1.4.1 // indirect
	github.com/mattn/go-colorable v0.1.14 // indirect
	github.com/mattn/go-runewidth v0.0.31 // indirect
	github.com/minio/highwayhash v1.0.4 // indirect
	github.com/minio/minlz v1.0.1-0.20250507153514-87eb42fe8882 // indirect
	github.com/mitchellh/copystructure v1.2.0 // indirect
	github.com/mitchellh/reflectwalk v1.0.2 // indirect
	github.com/muesli/cancelreader v0.2.2 // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/nats-io/jwt/v2 v2.8.2 // indirect
	github.com/nats-io/nkeys v0.4.16 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	github.com/ncruces/go-strftime v1.0.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/prometheus/client_model v0.6.3 // indirect
	github.com/prometheus/common v0.72.0 // indirect
	github.com/prometheus/procfs v0.22.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/vbauerster/cupwriter v0.0.4 // indirect
	github.com/xo/terminfo v0.0.0-20220910002029-abceb7e1c41e // indirect
	go.opentelemetry.io/auto/sdk v1.2.1 // indirect
	go.opentelemetry.io/otel/exporters/otlp/otlptrace v1.47.0 // indirect
	go.opentelemetry.io/otel/log v1.47.0 // indirect
	go.opentelemetry.io/otel/metric v1.47.0 // indirect
	go.opentelemetry.io/proto/otlp v1.11.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/exp v0.0.0-20231006140011-7918f672742d // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260928230214-8a89bd6388cc // indirect
	modernc.org/libc v1.77.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
