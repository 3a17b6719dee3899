package config

import "io/fs"

// readableByOthers is always false: the mode bits Go shows on Windows say nothing
// about who may read. The installation guide says how to restrict the folder.
func readableByOthers(fs.FileInfo) bool { return false }
