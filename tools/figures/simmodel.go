package main

import "fmt"

// simModel draws the simulator's machine, and how a cache line goes from one CPU to another.
func simModel() []byte {
	c := newCanvas(900, 690, "What the simulator models: CPUs, caches, distances, store buffers, and the queue of a cache line")
	c.bold(24, 32, 18, ink, "A machine: CPUs with clocks, caches and store buffers, at distances from each other")
	for i, s := range []struct {
		name string
		cpus [2]virtualCPU
	}{
		{"socket 0", [2]virtualCPU{
			{"CPU 0", "1,240 ns", "worker 3 runs", []string{"5", "8"}, []string{"A: modified", "B: shared"}, []string{"C = 1", "A = 7"}},
			{"CPU 1", "1,252 ns", "worker 1 spins on B", nil, []string{"B: shared"}, nil},
		}},
		{"socket 1", [2]virtualCPU{
			{"CPU 28", "1,240 ns", "worker 6 waits for A", nil, []string{"D: exclusive"}, nil},
			{"CPU 29", "–", "idle: looks for work", nil, []string{"B: shared"}, nil},
		}},
	} {
		x := 24 + 438*float64(i)
		c.box(x, 46, 414, 218, "#f8f8f8", faint, "")
		c.text(x+12, 65, 12, "start", faint, s.name)
		c.box(x+10, 74, 394, 180, "#ffffff", faint, "5 3")
		c.text(x+20, 91, 12, "start", faint, "a cluster: cores with one last-level cache")
		for j, cpu := range s.cpus {
			cpu.draw(c, x+18+193*float64(j), 100)
		}
	}
	c.arrow("M115,272 C115,292 290,292 308,272", ink, "")
	c.text(212, 302, 12, "middle", ink, "cluster: 47.5 ns")
	c.arrow("M340,272 C380,300 520,300 560,272", ink, "")
	c.text(450, 310, 12, "middle", ink, "other socket: 148.8 ns")
	c.text(640, 302, 12, "start", faint, "a hop, by distance; here of the Xeon 8176")

	c.bold(24, 352, 18, ink, "A cache line: one owner or copies, and a queue of requests")
	lanes := []string{"CPU 0", "CPU 1", "CPU 28", "CPU 29"}
	const left, top, lane, bar = 100.0, 372.0, 58.0, 30.0
	for i, name := range lanes {
		y := top + lane*float64(i)
		c.text(left-14, y+bar/2+5, 13, "end", ink, name)
		c.line(left, y+bar/2, 876, y+bar/2, "#bbbbbb", "")
	}
	at := func(i int) float64 { return top + lane*float64(i) }
	held := func(i int, from, to float64, says string) {
		c.box(from, at(i), to-from, bar, blueBg, blue, "")
		c.text((from+to)/2, at(i)+bar/2+4, 12, "middle", ink, says)
	}
	waits := func(i int, from, to float64, says string) {
		c.box(from, at(i), to-from, bar, yellow, orange, "6 3")
		c.text((from+to)/2, at(i)+bar/2+4, 12, "middle", ink, says)
	}
	copied := func(i int, from, to float64, says string) {
		c.box(from, at(i), to-from, bar, greyBg, faint, "")
		c.text((from+to)/2, at(i)+bar/2+4, 12, "middle", ink, says)
	}
	held(0, 100, 300, "owner: adds, and adds again")
	waits(1, 190, 390, "asks: in the queue")
	waits(2, 236, 560, "asks: in the queue")
	held(1, 390, 500, "owner")
	held(2, 560, 650, "owner")
	c.arrow(fmt.Sprintf("M300,%g C330,%g 350,%g 386,%g", at(0)+bar/2, at(0)+bar/2, at(1)-10, at(1)+4), blue, "")
	c.text(366, at(0)+bar+6, 12, "start", ink, "the line travels: a hop, by distance")
	c.arrow(fmt.Sprintf("M500,%g C520,%g 535,%g 556,%g", at(1)+bar/2, at(1)+bar/2, at(2)-10, at(2)+4), blue, "")
	c.text(544, at(1)+bar+6, 12, "start", ink, "the nearest in the queue is mostly next")
	copied(3, 716, 784, "copy")
	copied(2, 650, 784, "copy")
	waits(3, 612, 716, "reads")
	c.line(784, at(1)+32, 784, at(3)+bar+4, orange, "5 3")
	c.text(790, at(1)+46, 12, "start", ink, "a write takes")
	c.text(790, at(1)+61, 12, "start", ink, "all copies away")
	c.arrow(fmt.Sprintf("M300,%g L104,%g", at(0)-6, at(0)-6), faint, "")
	c.text(308, at(0)-2, 12, "start", faint, "residency: what it can do meanwhile it does first")

	y := at(4) + 6
	for i, key := range []struct{ fill, stroke, dash, says string }{
		{blueBg, blue, "", "may write: modified or exclusive"},
		{yellow, orange, "6 3", "waits for the line; a StoreRelease waits in the store buffer instead, and the CPU goes on"},
		{greyBg, faint, "", "may read: shared"},
	} {
		c.box(100, y+24*float64(i), 28, 16, key.fill, key.stroke, key.dash)
		c.text(136, y+24*float64(i)+13, 12, "start", ink, key.says)
	}
	return c.Bytes()
}

// A virtualCPU is a CPU in the figure.
type virtualCPU struct {
	name, clock, runs    string
	queue, cache, stores []string
}

func (v virtualCPU) draw(c *canvas, x, y float64) {
	c.box(x, y, 185, 146, blueBg, blue, "")
	c.bold(x+10, y+20, 14, ink, v.name)
	c.text(x+175, y+20, 12, "end", ink, v.clock)
	c.text(x+10, y+40, 12, "start", ink, v.runs)
	row := func(y float64, name string, cells []string, w float64) {
		c.text(x+10, y+14, 12, "start", faint, name)
		if len(cells) == 0 {
			c.text(x+62, y+14, 12, "start", faint, "empty")
		}
		for i, cell := range cells {
			c.box(x+60+(w+4)*float64(i), y, w, 20, "#fff", ink, "")
			c.text(x+60+(w+4)*float64(i)+w/2, y+14, 11, "middle", ink, cell)
		}
	}
	row(y+52, "queue", v.queue, 24)
	for i, cell := range v.cache {
		c.box(x+60, y+76+22*float64(i), 115, 20, "#fff", ink, "")
		c.text(x+66, y+90+22*float64(i), 11, "start", ink, cell)
	}
	c.text(x+10, y+90, 12, "start", faint, "cache")
	row(y+122, "stores", v.stores, 55)
}
