// Package mapping turns the rows of an export into notification drafts, as a profile
// says: which column, literal or expression gives each field of SEND's request, how it
// is converted, which rows belong together.
//
// Start with [Load] (the profile, checked by itself), then [Profile.Compile] (the
// profile against the heading of one file: a mistyped column is an error here, never an
// empty value), then [Mapper.Drafts]. Mistakes in a profile come as yamldoc.Errors, all
// at once, with line, column and caret; mistakes in rows come as problems of the draft
// with the column of the export.
//
// Memory is bounded: rows of a group may stand anywhere in the file; those that wait
// for the rest of their group are held in memory up to a limit and in a temporary file
// beyond it. The same bytes and the same profile always give the same drafts; nothing
// else is written, so a crash needs no repair.
package mapping
