from .conclusions import conclusions as conclusions
from .page import REPORT_NAME as REPORT_NAME, report as report, write_report as write_report
