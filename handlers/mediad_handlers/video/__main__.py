"""`python -m mediad_handlers.video`: the video handler's command line."""

import sys

from mediad_handlers.video import main

sys.exit(main())
