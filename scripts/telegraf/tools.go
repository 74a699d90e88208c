//go:build tools

// Package tools pins what scripts/build_telegraf.sh builds: the blank imports keep `go mod tidy` from dropping them.
package tools

import (
	_ "github.com/influxdata/telegraf/cmd/telegraf"
)
