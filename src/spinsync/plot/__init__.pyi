from .diagrams import cut as cut
from .diagrams import frequency as frequency
from .diagrams import phase_diagram as phase_diagram
from .spheres import bloch_sphere as bloch_sphere
from .style import save as save
from .style import style as style
from .traces import order_parameter as order_parameter
from .traces import phases as phases
