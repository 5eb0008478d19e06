module genpool.dev/local/pause

go 1.25.0
