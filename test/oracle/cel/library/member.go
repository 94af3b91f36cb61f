package main

import (
	celgo "github.com/google/cel-go/cel"
	"github.com/siderolabs/talos/pkg/machinery/cel/celenv"
)

// member is left out of the build for versions that have no such environment.
func member() *celgo.Env { return celenv.MemberVolumeLocator() }
