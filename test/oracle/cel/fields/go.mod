module fields

go 1.26

require github.com/siderolabs/talos/pkg/machinery v1.14.1
