//go:build unix && !linux

package folder

import "os"

// renameFile renames without overwriting, as far as a look before the rename can
// promise it.
func renameFile(root *os.Root, _, from, to string) error { return lookAndRename(root, from, to) }
