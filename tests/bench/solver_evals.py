"""How many model calls for equal error? python tests/bench/solver_evals.py (1 minute)

Three Gaussian blobs in the plane, whose velocity is a formula; the truth is 2,000 Heun steps in double precision. Each solver has a number of calls;
Euler gets the fewest calls that bring it as near. `bench_solver_evals`: our best solver's calls at 16, over Euler's; `interval` is the range over 8, 16 and 32 calls."""
import torch

from sora_edu.evaluation import record
from sora_edu.sampling import sample

MEANS, SPREAD, POINTS = torch.tensor([[-1.6, 1.0], [1.6, 1.0], [0.0, -1.6]], dtype=torch.float64), 0.3, 2000
NOISE = torch.randn(POINTS, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def blobs(x, t):
    """The exact velocity of the mixture."""
    t = t[:, None]
    variance, off = (1 - t) ** 2 * SPREAD**2 + t**2, x[:, None] - (1 - t[..., None]) * MEANS
    votes = torch.softmax(-off.square().sum(-1) / 2 / variance, 1)
    return (t - (1 - t) * SPREAD**2) / variance * (votes[..., None] * off).sum(1) - votes @ MEANS


def walk(steps: int, solver: str): return sample(blobs, (POINTS, 2), steps, solver, noise=NOISE)


TRUTH = walk(2000, "heun")


def error(calls: int, solver: str) -> float: return (walk(calls // 2 if solver == "heun" else calls, solver) - TRUTH).norm(dim=1).mean().item()


def calls_of_euler(goal: float) -> int:
    """The fewest calls that reach this error: double, then halve the gap."""
    high = 1
    while error(high, "euler") > goal: high *= 2
    low = high // 2
    while high - low > 1: low, high = (low, middle) if error(middle := (low + high) // 2, "euler") <= goal else (middle, high)
    return high


def main() -> None:
    torch.set_num_threads(1)
    command, best = "sora-edu bench --only solver_evals", {}
    for solver in ("ab2", "dpmpp", "heun"):
        for calls in (8, 16, 32):
            euler = calls_of_euler(error(calls, solver))
            print(f"{solver:6} {calls:3} calls = Euler {euler:5}: {calls / euler:.3f}", flush=True)
            record("bench", f"bench_solver_evals_{solver}_{calls}", euler, "calls of Euler for the same error", POINTS, None, command)
            best[calls] = min(best.get(calls, 1), calls / euler)
    record("bench", "bench_solver_evals", best[16], "times Euler's calls", POINTS, [round(min(best.values()), 4), round(max(best.values()), 4)], command)


if __name__ == "__main__":
    main()
