package vault

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"switchboard/internal/flow"
)

// Destination is where a request goes.
type Destination struct {
	Host   string // as in the URL, in any case
	Port   string
	Chosen bool // a value chose the host, not the definition
}

// Fill puts secrets into the stored input of an attempt, all of it bound for one place, and gives what takes them out
// again of anything that is to be kept. Nothing of stored is changed. An error names the secret and says why; nothing
// was filled in then.
func (v *Vault) Fill(stored flow.Value, to Destination) (flow.Value, *Redactor, error) {
	red := &Redactor{}
	var names []string
	filled, err := flow.Fill(stored, func(ref flow.SecretRef) (flow.Value, error) {
		secret, value, err := v.open(ref.Name)
		if err != nil {
			return nil, err
		}
		if err := allowed(secret.Name, secret.Hosts, to); err != nil {
			return nil, err
		}
		if value, err = part(value, ref); err != nil {
			return nil, err
		}
		red.add(value)
		names = append(names, ref.Name)
		return value, nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		v.used(name)
	}
	red.build()
	return filled, red, nil
}

func allowed(name string, hosts []string, to Destination) error {
	if len(hosts) == 0 {
		if to.Chosen {
			return fmt.Errorf("%s: %w: a value of the workflow chose it, and the secret is bound to no hosts", name, ErrHost)
		}
		return nil
	}
	host := strings.ToLower(strings.TrimSuffix(to.Host, "."))
	for _, bound := range hosts {
		pattern, port := splitHost(bound)
		below, wild := strings.CutPrefix(pattern, "*")
		if (port == "" || port == to.Port) && (host == pattern || wild && strings.HasSuffix(host, below)) {
			return nil
		}
	}
	return fmt.Errorf("%s: %w: it is bound to %s", name, ErrHost, strings.Join(hosts, ", "))
}

// part follows the path of a reference into a secret.
func part(value flow.Value, ref flow.SecretRef) (flow.Value, error) {
	for _, name := range ref.Path {
		switch parent := value.(type) {
		case flow.Map:
			child, ok := parent[name]
			if !ok {
				return nil, fmt.Errorf("secret %s has no %s", ref.Name, strings.Join(ref.Path, "."))
			}
			value = child
		case []any:
			n, err := strconv.Atoi(name)
			if err != nil || n < 0 || n >= len(parent) {
				return nil, fmt.Errorf("secret %s has no %s", ref.Name, strings.Join(ref.Path, "."))
			}
			value = parent[n]
		default:
			return nil, fmt.Errorf("secret %s has no %s", ref.Name, strings.Join(ref.Path, "."))
		}
	}
	return value, nil
}

// hostForm is a name or an IPv4 address, with *. before it for what is below it; hostPort takes its port off.
var (
	hostForm = regexp.MustCompile(`^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	hostPort = regexp.MustCompile(`^(.*):([1-9][0-9]{0,4})$`)
)

// checkHosts brings hosts into the form in which they are kept.
func checkHosts(hosts []string) ([]string, error) {
	if len(hosts) > MaxHosts {
		return nil, fmt.Errorf("%d, at most %d", len(hosts), MaxHosts)
	}
	var list []string
	for _, text := range hosts {
		bound := strings.ToLower(strings.TrimSpace(text))
		host, port := splitHost(bound)
		if n, _ := strconv.Atoi(port); n > 65535 || !hostForm.MatchString(host) && net.ParseIP(host) == nil {
			return nil, fmt.Errorf("%q is no host, with *. before it or :PORT behind it where wanted", text)
		}
		if !slices.Contains(list, bound) {
			list = append(list, bound)
		}
	}
	return list, nil
}

// splitHost takes the port off, and the brackets around IPv6.
func splitHost(bound string) (host, port string) {
	host = bound
	if net.ParseIP(bound) == nil {
		if found := hostPort.FindStringSubmatch(bound); found != nil {
			host, port = found[1], found[2]
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); ok && net.ParseIP(inner) != nil {
			host = inner
		}
	}
	return host, port
}

// Judge has judge look at a secret that is text, and says what it said: who proves to know the secret may do something.
// Nothing of it leaves.
func (v *Vault) Judge(name string, judge func(secret string) bool) (bool, error) {
	_, value, err := v.open(name)
	if err != nil {
		return false, err
	}
	text, ok := value.(string)
	if !ok {
		return false, fmt.Errorf("secret %s: it is not text", name)
	}
	v.used(name)
	return judge(text), nil
}
