package simulate

import (
	"container/heap"
	"context"
	"time"
)

// plan is something that will be done at a time.
type plan struct {
	at  time.Time
	seq int // the order in which plans were made tells those of one time apart
	do  func(context.Context) error
}

// agenda is what will be done, the earliest first. It implements [heap.Interface].
type agenda struct {
	plans []plan
	made  int
}

func (a *agenda) add(at time.Time, do func(context.Context) error) {
	a.made++
	heap.Push(a, plan{at, a.made, do})
}

func (a *agenda) next() plan { return heap.Pop(a).(plan) }

func (a *agenda) Len() int { return len(a.plans) }

func (a *agenda) Less(i, j int) bool {
	x, y := a.plans[i], a.plans[j]
	return x.at.Before(y.at) || x.at.Equal(y.at) && x.seq < y.seq
}

func (a *agenda) Swap(i, j int) { a.plans[i], a.plans[j] = a.plans[j], a.plans[i] }

func (a *agenda) Push(x any) { a.plans = append(a.plans, x.(plan)) }

func (a *agenda) Pop() any {
	last := a.plans[len(a.plans)-1]
	a.plans = a.plans[:len(a.plans)-1]
	return last
}
