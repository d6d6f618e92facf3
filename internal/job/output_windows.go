package job

// abandoned tells whether no process has the writing end any more. Here it is a
// guess: a reader that waits would have been told of the end.
func (o *output) abandoned() bool {
	return !o.waiting.Load()
}
