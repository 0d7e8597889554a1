"""Fits of counted events for the examples: maximum likelihood for Poisson counts, with NumPy alone."""

import numpy as np


def fit_counts(model, counts, start):
    """Find the parameters under which the counts are most likely.

    Parameters
    ----------
    model
        Function of an array of parameters that gives the expected number of counts in each bin.
    counts
        What was counted in each bin; independent Poisson numbers. Bins without any counts are as good as others, which
        is why this is not a fit of least squares.
    start
        First guess of the parameters, none of them 0.

    Returns
    -------
    tuple of ndarray
        The parameters and their standard errors, from the curvature of the likelihood.

    Notes
    -----
    Fisher's scoring with the damping of Levenberg and Marquardt. The information matrix of Poisson counts with the
    expectation mu is ``J.T @ diag(1 / mu) @ J``, J the derivatives of mu (Laurence and Chromy, Nature Methods 7, 338
    (2010)).
    """
    counts, parameters = np.asarray(counts, float), np.asarray(start, float)
    likelihood, damping = log_likelihood(model(parameters), counts), 1e-3
    if likelihood == -np.inf:
        raise ValueError(f"the first guess {start} expects no counts in some bins")
    while damping < 1e9:
        expected, slopes = model(parameters), derivatives(model, parameters)
        information = slopes.T @ (slopes / expected[:, None])
        gradient = slopes.T @ (counts / expected - 1)
        step = np.linalg.solve(information + damping * np.diag(np.diag(information)), gradient)
        better = log_likelihood(model(parameters + step), counts)
        gain = better - likelihood
        if gain > 0:
            parameters, likelihood, damping = parameters + step, better, damping / 10
        else:
            damping *= 10
        if 0 <= gain < 1e-6:
            break
    return parameters, np.sqrt(np.diag(np.linalg.inv(information)))


def log_likelihood(expected, counts):
    """Logarithm of the probability of the counts, but for a constant; impossible expectations have none."""
    if not np.all(expected > 0):
        return -np.inf
    return float(np.sum(counts * np.log(expected) - expected))


def derivatives(model, parameters):
    """Change of the model with each parameter, one column for each."""
    columns = []
    for i, value in enumerate(parameters):
        nudge = np.zeros(len(parameters))
        nudge[i] = 1e-5 * abs(value) or 1e-9
        columns.append((model(parameters + nudge) - model(parameters - nudge)) / (2 * nudge[i]))
    return np.stack(columns, axis=1)
