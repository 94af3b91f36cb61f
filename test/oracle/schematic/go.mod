module schematic

go 1.26

require github.com/siderolabs/image-factory v1.4.0
