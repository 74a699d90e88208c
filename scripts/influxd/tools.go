//go:build tools

// Package tools pins what scripts/build_influxd.sh builds: the blank imports keep `go mod tidy` from dropping them.
package tools

import (
	_ "github.com/influxdata/influxdb/v2/cmd/influxd"
	_ "github.com/influxdata/pkg-config"
)
