"""What is asked beside what is reached, and what was not reached."""

missed: list[str] = []


def told(
    name: str,
    reached: float,
    *,
    most: float | None = None,
    least: float | None = None,
    unit: str = "",
    note: str = "",
) -> None:
    """Print a figure; `most` and `least` are what is asked of it, None: nothing is."""
    good = (most is None or reached <= most) and (least is None or reached >= least)
    asked = f"asked: ≤ {most:g}" if most is not None else ""
    asked = f"asked: ≥ {least:g}" if least is not None else asked
    if not good:
        missed.append(name)
        asked += "  MISSED"
    print(
        f"   {name:58}{reached:12,.3f} {unit:6}{asked}{'   ' + note if note else ''}",
        flush=True,
    )
