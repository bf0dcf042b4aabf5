"""Fixed-step solvers as a traced loop has them (diffrax, odeint in JAX): on NumPy arrays, so nothing is compiled."""

import numpy as np

# Rows of a Butcher tableau below its diagonal, then the weights.
RK4 = [[], [1 / 2], [0, 1 / 2], [0, 0, 1]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]
# Tsitouras 2011, the fifth-order method that diffrax takes by default.
TSIT5 = [
    [],
    [0.161],
    [-0.008480655492356989, 0.335480655492357],
    [2.8971530571054935, -6.359448489975075, 4.3622954328695815],
    [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525],
    [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383],
], [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774]


def euler(derivative, s, T, dt):
    """As the papers' code: explicit steps of dt."""
    s = s.copy()
    for _ in range(int(round(T / dt))):
        s += dt * derivative(0, s)
    return s


def runge_kutta(derivative, s, T, count, method):
    """`count` steps, even in log t."""
    below, weights = {"rk4": RK4, "tsit5": TSIT5}[method]
    s = s.copy()
    edges = np.concatenate([[0], np.geomspace(1e-2, T, count)])
    for t, dt in zip(edges, np.diff(edges)):
        slopes = []
        for row in below:
            y = s
            for factor, slope in zip(row, slopes):
                if factor:
                    y = y + dt * factor * slope
            slopes.append(derivative(t, y))
        for weight, slope in zip(weights, slopes):
            s += dt * weight * slope
        if not np.isfinite(s[0]):
            break  # unstable: the fastest mode goes first
    return s
