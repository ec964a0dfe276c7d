"""`python -m mediad_handlers.document`: the document handler's command line."""

import sys

from mediad_handlers.document import main

sys.exit(main())
