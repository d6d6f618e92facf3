package diagram

import "bytes"

func writeMarkdown(page *bytes.Buffer, edges []edge, o Options) {}
