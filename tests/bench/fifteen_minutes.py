"""Run the demo from nothing and record how good its model is: python tests/bench/fifteen_minutes.py OUT (15 minutes, then 2 more)

Writes `adherence_15min` (one object) and `adherence_two_15min`, each on 500 held-out prompts, into data/results/fifteen_minutes.json."""
import subprocess
import sys

from sora_edu.cli import load_judge
from sora_edu.evaluation import adherence, interval, record, summary
from sora_edu.pipeline import Sora

N = 500


def main(out: str) -> None:
    subprocess.run(["sora-edu", "demo", "--minutes", "15", "--out", out], check=True)
    sora, judge = Sora.from_pretrained(f"{out}/train"), load_judge()
    for objects, id in ((1, "adherence_15min"), (2, "adherence_two_15min")):
        percent = summary(adherence(sora, judge, N, objects)[2])["all"][0]
        print(f"{id} {percent:.1f}%")
        record("fifteen_minutes", id, percent, "%", N, interval(percent, N), "python tests/bench/fifteen_minutes.py OUT")


if __name__ == "__main__":
    main(sys.argv[1])
