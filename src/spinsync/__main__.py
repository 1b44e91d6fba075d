"""python -m spinsync"""

from spinsync.faces.command import main

main()
