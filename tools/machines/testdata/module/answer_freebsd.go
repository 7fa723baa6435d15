package m

const answer = 1 << 40
