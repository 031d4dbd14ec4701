package interop

import (
	"flag"
	"testing"

	"switchboard/test/lab"
)

// sideBySide is how many tests run at a time. They mostly wait for real seconds to pass, so that the number of cores
// says little.
const sideBySide = "12"

func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "test.parallel" })
	if !asked {
		if err := flag.Set("test.parallel", sideBySide); err != nil {
			panic(err)
		}
	}
	lab.Main(m)
}
