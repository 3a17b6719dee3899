// Package reader turns an export into a heading and a stream of rows: CSV in the
// encodings of Italian municipal programs, XLSX, JSON lines, and our own outcome
// files dropped again.
//
// Start with [Open]; [File.Rows] streams and may be called again, each time from the
// beginning. What is wrong with the file as a whole (not what it claims to be, another
// encoding or delimiter, quotes that never close) is a [*FileError] with a code and a
// remedy, before the first row wherever it can be known then. What is wrong with one
// cell is a table.Fault of its row: the mapping decides whether it matters.
//
// Memory does not grow with the size of a text file. An XLSX is bounded by size
// limits, because its library reads the archive whole. Nothing is written (the XLSX
// library spills large sheets to a temporary file that Close removes), so a crash
// needs no repair.
package reader
