"""Tools without physics: argument checks, files, threads, memory, interrupts, compiled code. Every layer may use them."""
