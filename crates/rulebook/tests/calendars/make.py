"""Writes what two packages say about working days, for the tests in src/clock/tests to compare with.

    python3 -m venv /tmp/calendars
    /tmp/calendars/bin/pip install chinesecalendar==1.11.0 holidays==0.109
    /tmp/calendars/bin/python make.py

chinesecalendar-2020-2026.txt: one line a year, the year and then one letter a day from 1 January on: `w` a working
day, `r` a day of rest, as `chinese_calendar.is_workday` says.

holidays-2020-2035.txt: one line a calendar and year: its id, the year, the weekdays (Monday to Friday) that are
holidays as month and day, and `+` with each day of the weekend that is worked. Whatever the package marks as
estimated is left out with its whole year.

Both packages are under the MIT licence. The files hold dates only.
"""

import datetime
import importlib.metadata
import pathlib

import chinese_calendar
import holidays

HERE = pathlib.Path(__file__).parent

CHINA = range(2020, 2027)
COMPUTED = range(2020, 2036)
LISTED = range(2025, 2028)

# Calendar: country, subdivision, categories.
COMPUTED_CALENDARS = {
    "au": ("AU", None, ("public",)),
    "br": ("BR", None, ("public",)),
    "ca": ("CA", None, ("public", "government")),
    "ca-qc": ("CA", "QC", ("public",)),
    "uk": ("GB", "ENG", ("public",)),
    "uk-northern-ireland": ("GB", "NIR", ("public",)),
    "uk-scotland": ("GB", "SCT", ("public",)),
    "us": ("US", None, ("public",)),
    "us-ca": ("US", "CA", ("public",)),
}
EU = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
for member in EU.split():
    COMPUTED_CALENDARS["eu-" + member.lower()] = (member, None, ("public",))
LISTED_CALENDARS = {
    "cn": ("CN", None, ("public",)),
    "hk": ("HK", None, ("optional",)),
    "id": ("ID", None, ("public",)),
    "in": ("IN", None, ("public",)),
    "jp": ("JP", None, ("public",)),
    "kr": ("KR", None, ("public",)),
    "my": ("MY", None, ("public",)),
    "ph": ("PH", None, ("public",)),
    "sg": ("SG", None, ("public",)),
    "th": ("TH", None, ("public",)),
    "tw": ("TW", None, ("public",)),
    "vn": ("VN", None, ("public",)),
}


def days(year):
    day = datetime.date(year, 1, 1)
    while day.year == year:
        yield day
        day += datetime.timedelta(days=1)


def china():
    version = importlib.metadata.version("chinesecalendar")
    lines = [f"# PyPI chinesecalendar {version}, is_workday for every day; made by make.py"]
    for year in CHINA:
        letters = "".join("w" if chinese_calendar.is_workday(day) else "r" for day in days(year))
        lines.append(f"{year} {letters}")
    write("chinesecalendar-2020-2026.txt", lines)


def others():
    version = importlib.metadata.version("holidays")
    lines = [f"# PyPI holidays {version}, weekdays off and weekend days worked; made by make.py"]
    for calendars, years in ((COMPUTED_CALENDARS, COMPUTED), (LISTED_CALENDARS, LISTED)):
        for calendar, (country, subdivision, categories) in sorted(calendars.items()):
            known = holidays.country_holidays(
                country, subdiv=subdivision, years=years, language="en_US", categories=categories
            )
            worked = getattr(known, "weekend_workdays", set())
            for year in years:
                names = {day: name for day, name in known.items() if day.year == year}
                if any("estimated" in name for name in names.values()):
                    continue
                off = [f"{day:%m-%d}" for day in sorted(names) if day.weekday() < 5]
                on = [f"+{day:%m-%d}" for day in sorted(worked) if day.year == year]
                lines.append(" ".join([calendar, str(year), *off, *on]))
    write("holidays-2020-2035.txt", lines)


def write(name, lines):
    (HERE / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


china()
others()
