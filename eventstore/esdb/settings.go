package esdb

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Check reports whether a connection string can work.
func Check(connection string) error {
	_, err := parse(connection)
	return err
}

// settings are what a connection string says.
type settings struct {
	config   esdb.Configuration
	address  string        // for the log: where the store is, without secrets
	deadline time.Duration // of one attempt to append
	unsent   bool          // there are credentials that the client will not send
}

// known are the settings of connection strings, in lower case.
var known = []string{
	"tls", "tlsverifycert", "tlscafile", "usercertfile", "userkeyfile", "nodepreference", "maxdiscoverattempts",
	"discoveryinterval", "gossiptimeout", "keepaliveinterval", "keepalivetimeout", "defaultdeadline",
}

// foreign are settings that only other clients have. They are passed over.
var foreign = []string{"connectionname", "throwonappendfailure"}

var errNone = errors.New("want esdb://HOST:PORT")

// parse reads a connection string. Errors never repeat it, since it may hold a
// password.
func parse(text string) (settings, error) {
	if text == "" {
		return settings{}, errNone
	}
	// KurrentDB is EventStoreDB's new name; this client does not know it yet.
	for _, scheme := range []string{"kurrentdb", "kdb"} {
		for _, kind := range []string{"://", "+discover://"} {
			if rest, ok := strings.CutPrefix(text, scheme+kind); ok {
				text = "esdb" + kind + rest
			}
		}
	}
	text, err := checkNames(text)
	if err != nil {
		return settings{}, err
	}
	config, err := esdb.ParseConnectionString(text)
	if err != nil {
		if syntax, ok := errors.AsType[*url.Error](err); ok { // its text is the whole string
			err = syntax.Err
		}
		return settings{}, err
	}
	if config.DefaultDeadline != nil && *config.DefaultDeadline <= 0 {
		return settings{}, errors.New("defaultDeadline: want a positive number of milliseconds")
	}
	if err := config.Validate(); err != nil {
		return settings{}, err
	}
	// One round of candidates and no pause: it is the connector that tries again.
	config.MaxDiscoverAttempts, config.DiscoveryInterval = 1, 0
	s := settings{config: *config, address: addressOf(config), deadline: 10 * time.Second, unsent: config.DisableTLS && config.Username != ""}
	if config.DefaultDeadline != nil {
		s.deadline = *config.DefaultDeadline
	}
	return s, nil
}

// checkNames refuses settings that there are not, of which the client would
// only print a line, and returns text without those that it would not know.
func checkNames(text string) (string, error) {
	where, query, some := strings.Cut(text, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("what follows the question mark is malformed")
	}
	for name := range values {
		switch lower := strings.ToLower(name); {
		case slices.Contains(foreign, lower):
			values.Del(name)
		case !slices.Contains(known, lower):
			return "", fmt.Errorf("there is no setting %s", name)
		}
	}
	if !some {
		return where, nil
	}
	return where + "?" + values.Encode(), nil
}

func addressOf(c *esdb.Configuration) string {
	if len(c.GossipSeeds) == 0 {
		return c.Address
	}
	var seeds []string
	for _, e := range c.GossipSeeds {
		seeds = append(seeds, e.String())
	}
	return strings.Join(seeds, ",")
}
