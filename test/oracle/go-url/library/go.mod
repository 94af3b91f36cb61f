module urls

go 1.26
