package diagram

import "bytes"

func writeSVG(page *bytes.Buffer, edges []edge, o Options) {}
