package slowdown

var Mutate = mutate
