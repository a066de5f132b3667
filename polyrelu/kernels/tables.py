"""The columns of the tables that the compiled enumerations work on.

Numba handles a few large arrays much better than many small objects, so a network is laid out in tables. This
module names their columns; `polyrelu.enumeration.network_tables` fills them.

``maps`` (dim + 2, n_columns) holds one affine form in each column: the coefficients of the inputs, the constant,
and a bound of the norm that scales its error. Each level (hidden layer) owns a block of columns for its
preactivations and, unless every unit is a ReLU, a block for its *cut rows*, the forms whose signs decide digits:
``z_u - t`` for each breakpoint, ``z_p - z_q`` for each pair of inputs of a max unit. The lines of the domain come
last. A column index names a form, and where that vanishes (in the plane, a line), everywhere.
"""

from __future__ import annotations

# --- integer table, one row for each level --------------------------------------------------------------
PRE = 0  # first column of the preactivations
N_PRE = 1  # number of preactivations, padded to whole tiles (`polyrelu.kernels.tiles`)
ROW = 2  # first column of the cut rows (= PRE on a level of ReLUs only)
N_ROW = 3  # number of cut rows
UNIT = 4  # first unit
N_UNIT = 5  # number of units
IS_RELU = 6  # 1 if every unit is a ReLU
WEIGHT = 7  # dense: offset of the weight in tiles; sparse: offset into column pointers
IS_SPARSE = 8
BYTE = 9  # first byte of the level's digits in a packed pattern
BIAS = 10  # offset into the bias
HAS_BIAS = 11  # 1 unless the whole bias is zero
LARGEST_UNIT = 12  # largest number of cut rows of one unit
# ... and what changes while regions are enumerated:
N_CUTS = 13  # number of cut units of the current polygon
IS_FORMED = 14  # 1 if the maps have been formed since the level before was entered
FLIPS = 15  # updates of the maps since they were formed afresh
SERIAL = 16  # changes whenever the maps change
CHANGED = 17  # cut units before this one have the digits that the next level's maps were formed with
N_INTEGERS = 18

# --- bounds, for each level one row of each kind, with an entry for each coefficient --------------------------
RHO = 0  # error of a form's coefficient is at most its norm times this
SIZE = 1  # coefficient of a form is at most its norm times this
ERROR = 2  # Euclidean norm of the errors of all preactivations
INPUT_ERROR = 3  # norm of the errors of the inputs
FRESH_SIZE = 4  # SIZE when the product was last formed afresh
N_BOUNDS = 5

# --- float table, one row for each level ---------------------------------------------------------------
SPECTRAL = 0  # bound of the weight's spectral norm
FROBENIUS = 1  # bound of the norm of (weight, bias)
GAMMA = 2  # rounding of one product and its updates
STEEPEST = 3  # largest slope
INTERCEPT = 4  # norm of the largest intercepts
LARGEST_ROW = 5  # largest row norm
LATTICE = 6  # every exact coefficient of the level that is not zero is at least this
GRAIN = 7  # a power of two that divides every exact coefficient of the level; 0 if there is none
N_FLOATS = 8

# --- integer table, one row for each unit --------------------------------------------------------------
UNIT_PRE = 0  # first preactivation column
UNIT_INPUTS = 1  # number of preactivations; > 1 for a max unit
UNIT_ROW = 2  # first cut-row column
UNIT_ROWS = 3  # number of cut rows
UNIT_WORD = 4
UNIT_SHIFT = 5
UNIT_BITS = 6  # 0 for units without a digit
UNIT_PIECE = 7  # offset into slopes and intercepts
UNIT_IS_MAX = 8
N_UNIT_INTEGERS = 9

# --- float table, one column for each piece of each function ---------------------------------------------
SLOPE, SLOPE_LOW = 0, 1  # a rational slope as a double-double
INTERCEPT_HIGH, INTERCEPT_LOW = 2, 3
BREAKPOINT, BREAKPOINT_LOW = 4, 5  # the breakpoint above the piece
N_PIECE_FLOATS = 6

# --- integer table, one row for each column of maps -----------------------------------------------------
COLUMN_LEVEL = 0  # the number of levels for the domain's lines
COLUMN_CLASS = 1  # equal for proportional rows of one level: they are one line in every region
FAR_SIDE = 2  # 2 j + 1 for the side x_j = -M of the far cube, 2 j + 2 for x_j = M; else 0
N_COLUMN_INTEGERS = 3

# --- vertices of polygons on the stack -----------------------------------------------------------------
X, Y = 0, 1  # coordinates (of a far vertex: its finite part)
X_ERROR, Y_ERROR = 2, 3
FAR_X, FAR_Y, FAR_ERROR = 4, 5, 6  # a far vertex is (X, Y) + M (FAR_X, FAR_Y) for every large enough M
GAP = 7  # a form's exact value there is zero or at least GAP times the lattice of the form
N_VERTEX_FLOATS = 8
EDGE = 0  # column of the line from this vertex to the next one
ZEROS = 1  # head of the list of further forms that vanish here, or -1
SIGN = 2  # sign of the form that is being tested
N_VERTEX_INTEGERS = 3
SCRATCH = 0  # row of the vertex stack in which an exactly placed vertex is handed over
BOX = 1  # row that holds a box around the current polygon: its centre in X, Y, and
X_HALF, Y_HALF = 2, 3  # half its sides,
BOX_ERROR = 4  # and what rounding can do on it to a form of norm 1
FIRST_VERTEX = 2

# --- tasks that wait ---------------------------------------------------------------------------------
TASK_LEVEL, TASK_CUT, TASK_START, TASK_LENGTH, TASK_DIGIT, TASK_ZERO_TOP = range(6)
N_TASK_INTEGERS = 6

# --- the state of an enumeration -----------------------------------------------------------------------
LEVEL, CUT = 0, 1  # the current task: its level, how many cut units are done,
START, LENGTH = 2, 3  # and its polygon
TOP, ZERO_TOP, N_TASKS = 4, 5, 6  # heights of the stacks
ENTERING = 7  # 1 if the current level has not been entered yet
N_OUT, N_CORNERS, N_EXTRA, N_FAR, N_ZERO = 8, 9, 10, 11, 12  # lengths of the output
ABORT = 13  # 1 once an answer has ended the enumeration
ASK = 14  # address of the function that answers questions
QUESTION = 15  # 4 columns: kind, form, line, line
FILTERED, EXTENDED, EXACT = 19, 20, 21  # how many signs were decided how
PRODUCTS, UPDATES = 22, 23  # how often maps were formed afresh, and updated
N_STATE = 24
ASK_SIGN, ASK_VERTEX = 0, 1
ABORT_ANSWER = 0  # what ctypes returns, too, for an exception that it cannot hand on
SIGN_SHIFT = 2  # all other answers are a sign plus this
OUTGROWN = 2  # value of ABORT: a cell has outgrown its masks, or the room that one step was given

# --- what the enumeration returns with -----------------------------------------------------------------
DONE, OUTPUT_FULL, STACK_FULL, ABORTED = 0, 1, 2, 3

# --- marks of a row once its level is entered ----------------------------------------------------------
DECIDED, CUTS, VANISHES = 0, 1, 2
