package app

import "runtime/debug"

// Version is what this binary was built from: a tag, or the commit, or "development".
var Version = version()

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) > 12 {
			return setting.Value[:12]
		}
	}
	return "development"
}
