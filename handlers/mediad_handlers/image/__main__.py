"""`python -m mediad_handlers.image`: the image handler's command line."""

import sys

from mediad_handlers.image import main

sys.exit(main())
