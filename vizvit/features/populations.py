"""Whether numbers are one population or two, and where the high one begins: no fixed cut-off."""

from __future__ import annotations

import numpy as np

ROUNDS, TOLERANCE = 200, 1e-6  # of the fit: at most so many, until a row gains no more a value
NARROWEST = 0.01  # standard deviation of a population, as a share of that of all values: one value is no population
FREE = 3  # numbers that two populations have more than one: a mean, a deviation, a weight


def high_population(values: np.ndarray) -> np.ndarray:
    """Where a high population apart from the rest begins in each row, float64 [...]; NaN where there is none.

    values: [..., n]. Two Gaussians are fitted by expectation maximisation. They are two populations where they explain
    the values better than a single Gaussian by the integrated completed likelihood (Biernacki, Celeux & Govaert, IEEE
    TPAMI 2000: the Bayesian information criterion less what is unsure about which value is whose, so that a skewed
    population is not called two), where their mixture has a valley between two peaks, where the high one is the
    smaller, and where it stands apart: it begins where it becomes the likelier of the two, and that is above what the
    greatest of so many values of the low one hardly exceeds, mean + deviation · √(2 ln n) (Donoho & Johnstone,
    Biometrika 81, 1994). Two modes that overlap, as of two parts of a picture, are no population of their own.
    """
    rows = np.asarray(values, np.float64)
    flat = np.sort(rows.reshape(-1, rows.shape[-1]), axis=-1)  # [row, n]
    count = flat.shape[-1]
    spread = flat.std(-1)
    starts = np.full(len(flat), np.nan)
    some = np.flatnonzero(spread > 1e-9 * np.abs(flat).max(-1, initial=0))
    if count >= 4 and len(some):
        scaled = (flat[some] - flat[some].mean(-1, keepdims=True)) / spread[some, None]
        starts[some] = _starts(scaled) * spread[some] + flat[some].mean(-1)
    return starts.reshape(rows.shape[:-1])


def _starts(rows: np.ndarray) -> np.ndarray:
    """Of rows that are sorted, with mean 0 and deviation 1: [row], NaN where there is one population."""
    count = rows.shape[-1]
    weights, means, variances, likelihood, unsure = _fit(rows)
    single = -0.5 * count * (1 + np.log(2 * np.pi))
    better = 2 * (likelihood - unsure - single) > FREE * np.log(count)

    def density(at: np.ndarray) -> np.ndarray:  # [row, place] -> of both, [row, population, place]
        return np.exp(_log_densities(_powers(at), weights, means, variances))

    between = means[:, :1] + np.linspace(0, 1, 513) * (means[:, 1:] - means[:, :1])  # [row, place]
    low, high = np.moveaxis(density(between), 1, 0)
    mixture = low + high
    valley = mixture.min(-1) < np.minimum(mixture[:, 0], mixture[:, -1]) * (1 - 1e-6)
    first = (high > low).argmax(-1)  # the likelier from here on
    step = (means[:, 1] - means[:, 0]) / 512
    start = means[:, 0] + (first - 0.5) * step
    smaller = (rows > start[:, None]).mean(-1) < 0.5
    apart = start > means[:, 0] + np.sqrt(2 * np.log(count) * variances[:, 0])
    return np.where(better & valley & smaller & apart & (first > 0), start, np.nan)


def _fit(rows: np.ndarray) -> tuple[np.ndarray, ...]:
    """Two Gaussians: weights, means, variances [row, population], the lower first; log likelihood, unsure [row].

    unsure: the entropy of whose each value is, in nats, over all values.
    """
    count, going, powers = rows.shape[-1], np.arange(len(rows)), _powers(rows)
    some, member = powers, _halves(rows)
    weights, means, variances = np.empty((3, len(rows), 2))
    likelihood = np.full(len(rows), -np.inf)
    for _ in range(ROUNDS):
        mass, first, second = np.moveaxis(member @ np.swapaxes(some, -1, -2), -1, 0)  # [row, population]
        mean = first / mass
        found = mass / count, mean, np.maximum(second / mass - mean**2, NARROWEST**2)
        weights[going], means[going], variances[going] = found
        total, member = _whose(_log_densities(some, *found))
        before, likelihood[going] = likelihood[going], total.sum(-1)
        on = likelihood[going] - before > TOLERANCE * count
        if not on.all():
            going, some, member = going[on], some[on], member[on]
        if not len(going):
            break
    order = means.argsort(-1)
    weights, means, variances = (np.take_along_axis(part, order, -1) for part in (weights, means, variances))
    logs = _log_densities(powers, weights, means, variances)
    total, member = _whose(logs)
    return weights, means, variances, likelihood, (total - (member * logs).sum(1)).sum(-1)


def _whose(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of log densities [row, population, n] the mixture's, [row, n], and each population's share of it.

    As `np.logaddexp` and a softmax, without a choice for each value, which would take four times as long.
    """
    greater = np.maximum(logs[:, 0], logs[:, 1])
    member = np.exp(logs - greater[:, None])
    whole = member[:, 0] + member[:, 1]
    member /= whole[:, None]
    return greater + np.log(whole), np.maximum(member, 1e-300, out=member)


def _halves(rows: np.ndarray) -> np.ndarray:
    """The cut through each sorted row that two Gaussians explain best, as members [row, population, n]: 0 or 1."""
    count = rows.shape[-1]
    below = np.arange(1, count)  # so many values below the cut
    sums, squares = np.cumsum(rows, -1), np.cumsum(rows**2, -1)
    cost = np.zeros((len(rows), count - 1))
    for number, total, square in (
        (below, sums[:, :-1], squares[:, :-1]),
        (count - below, sums[:, -1:] - sums[:, :-1], squares[:, -1:] - squares[:, :-1]),
    ):
        variance = np.maximum(square / number - (total / number) ** 2, NARROWEST**2)
        cost = cost + number * (0.5 * np.log(variance) - np.log(number))
    cut = 1 + np.argmin(cost, -1)
    low = np.arange(count) < cut[:, None]
    return np.stack([low, ~low], 1).astype(np.float64)


def _powers(at: np.ndarray) -> np.ndarray:
    """1, x and x², [row, power, place]."""
    return np.stack([np.ones_like(at), at, at**2], 1)


def _log_densities(powers: np.ndarray, weights: np.ndarray, means: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """log(weight x density) of both populations, [row, population, place]: a polynomial of second degree."""
    scale = np.log(weights) - 0.5 * np.log(2 * np.pi * variances)
    terms = [scale - 0.5 * means**2 / variances, means / variances, -0.5 / variances]
    return np.stack(terms, -1) @ powers
