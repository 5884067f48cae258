"""Hands settings.ini to setuptools and ships `data/` inside the package as `sora_edu/data/`."""
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup

config = ConfigParser()
config.read(Path(__file__).with_name("settings.ini"), encoding="utf-8")
settings = config["DEFAULT"]


def lines(key):
    return settings[key].split("\n")[1:]


setup(
    version=settings["version"],
    description=settings["description"],
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=settings["keywords"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Education",
        "Natural Language :: English",
        "Programming Language :: Python :: 3",
    ],
    packages=["sora_edu", "sora_edu.checks", "sora_edu.data"],
    package_dir={"sora_edu.data": "data"},
    package_data={"sora_edu.data": ["**/*"]},
    install_requires=lines("requirements"),
    extras_require={name: lines(f"{name}_requirements") for name in ("dev", "test", "bench")},
    entry_points={
        "console_scripts": [settings["console_scripts"]],
        "nbdev": ["sora_edu=sora_edu._modidx:d"],
    },
)
