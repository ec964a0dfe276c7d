"""`python -m mediad_handlers.audio`: the audio handler's command line."""

import sys

from mediad_handlers.audio import main

sys.exit(main())
