// Package folder is a folder in which the connector and other people's programs
// meet: exports are taken from it and outcome files are published into it. It is
// one contract, [Folder], behind which a folder of this machine lies now and one of
// an SFTP server later. Start with [OpenLocal]; package foldertest holds the tests
// that every implementation passes.
//
// Names are relative to the folder's root, with forward slashes, on every system.
// A name that would lead out of the root, by dots or through a symbolic link, is
// refused, never followed.
//
// After a crash: a file that can be seen under its own name is complete, because
// [Folder.Publish] is the only way in which content gets there. What a crash leaves
// behind carries a name of the form .connector-….tmp, which [Temporary] knows and
// [Folder.Tidy] removes. Rename and Move never overwrite, so that repeating them
// loses nothing. Their effect is durable after [Folder.Sync] of the folders
// concerned; Publish syncs by itself. Windows offers no sync of a folder: there a
// rename is written through, and recent publications should be verified at start.
//
// What is not promised: two connectors publishing the same name at the same time.
package folder
