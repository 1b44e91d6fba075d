"""python -m spinsync"""

from spinsync.interfaces.command import main

main()
