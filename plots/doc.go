// Package plots draws the results of a benchmark run: throughput over CPUs and over the
// share of reads, latency percentiles, also over load, the distribution of waits, and
// fairness.
//
// [Write] draws all of them into files. [Throughput], [Reads], [Roles], [Latency],
// [Load], [Distribution] and [Fairness] return the figures of one kind, a [Figure] for
// each combination of the dimensions that it does not show; its panels are gonum plots,
// to which you can add, or which you can put into a picture of your own. [Forest] draws
// the result of a comparison of two versions.
//
// A figure never mixes samples of near CPUs with samples of far ones. Samples during
// which the distance changed are left out, and the figure says how many; so are those
// of unknown distance, if there are others. The best lock is the one with the best
// median; locks whose intervals overlap that of the best are called tied with it.
//
// # The files, in the order of the data
//
//   - plots.go has the options; kinds.go has the table of all kinds of figures, and
//     draws them; files.go writes them.
//   - scene.go gathers the summaries of a file into the cells of one figure, and has its
//     conditions in words and in its name; series.go makes lines over one dimension.
//   - alone.go, throughput.go, reads.go, beside.go, roles.go, latency.go, arrivals.go and
//     fairness.go are the kinds of figures, each with its title.
//   - rows.go and lines.go are the two forms that figures have; axes.go, labels.go and
//     palette.go are parts of both.
//   - figure.go is a figure, with the text around its panels; page.go is the page of all figures.
//   - forest.go and history.go draw the results of the gate and of a history.
package plots
