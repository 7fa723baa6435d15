// Package show has what people see of a failed schedule.
//
// The files, each of which refers only to those after it:
//
//   - names.go finds in the source the names of what the machine recorded by number.
//   - text.go says what failed, below a table.
//   - table.go writes a [Schedule] as a table, a column for each worker and a line for each
//     step; svg.go draws it as a figure.
//   - rows.go leaves out steps that repeat, for both.
//   - func.go shortens the names of functions.
//   - schedule.go is the data: what is shown of each step.
package show
