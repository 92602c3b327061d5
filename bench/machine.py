"""The ground a measurement stands on: the Python environment, the machine, processor time."""

import datetime
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
VENV = HERE / ".venv"


def enter_venv():
    """Continues in bench/.venv, which is made and filled with the pinned packages if need be."""
    if Path(sys.prefix) == VENV:
        return
    requirements = HERE / "requirements.txt"
    stamp = VENV / "installed.txt"
    if not stamp.exists() or stamp.read_text() != requirements.read_text():
        print("installing", ", ".join(requirements.read_text().split()), file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        pip = [VENV / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", requirements], check=True)
        stamp.write_text(requirements.read_text())
    os.execv(VENV / "bin/python", [VENV / "bin/python", *sys.argv])


def target_directory() -> Path:
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def require(binary: Path):
    if not binary.exists():
        sys.exit(f"{binary} is missing; `cargo build --workspace` makes it, or name another one with --frostpane")


def drop_page_cache() -> bool:
    """Lets the kernel forget every file it holds in memory; `False` where that is not allowed."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n")
    except OSError:
        print("the page cache cannot be dropped: no cold times", file=sys.stderr)
        return False
    return True


def require_disk(directory: Path, size: int):
    """Ends the program rather than fill the disk."""
    free = shutil.disk_usage(directory).free
    if free < size:
        sys.exit(f"{directory} has {free / 1e9:.0f} GB free; this may take {size / 1e9:.0f} GB")


def description() -> str:
    """One line that says what was measured on."""
    model = next(
        (line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
        platform.machine(),
    )
    memory_kib = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal")))
    when = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
    load = "/".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{when}, {os.cpu_count()} cores of {model}, {memory_kib / 2**20:.0f} GiB, load average {load}"


def commit() -> str:
    answer = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return answer.stdout.strip() or "unknown"


def built(binary: Path) -> str:
    """Which executable was measured: the commit in the tree may be newer than what was built."""
    when = datetime.datetime.fromtimestamp(binary.stat().st_mtime, datetime.UTC)
    return when.strftime("built %Y-%m-%d %H:%M UTC")


def busy_elsewhere() -> float:
    """Seconds of processor time spent by the whole machine since it started."""
    ticks = open("/proc/stat").readline().split()[1:]
    user, nice, system, _idle, _wait, irq, softirq = (int(tick) for tick in ticks[:7])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def process_tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = open(f"/proc/{entry}/stat").read()
            except OSError:
                continue
            children.setdefault(int(stat.rsplit(")", 1)[1].split()[1]), []).append(int(entry))
    tree, wave = [], [pid]
    while wave:
        tree += wave
        wave = [child for parent in wave for child in children.get(parent, [])]
    return tree


def cpu_seconds(pids: list[int]) -> float:
    """Processor time that the living processes have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mib(pids: list[int], field: str = "VmRSS") -> float:
    total = 0
    for pid in pids:
        try:
            lines = open(f"/proc/{pid}/status").read().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(field))
    return total / 1024


def directory_bytes(path: Path) -> int:
    return sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
