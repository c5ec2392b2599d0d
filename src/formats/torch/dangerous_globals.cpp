#include <algorithm>
#include <string>

#include "formats/torch/global_lists.h"

namespace lanthorn {
namespace {

/// What is known to do harm, by what it does: names with all that is in them; with a colon, modules
/// that are one file, so that a user's package of that name is none of them; with a star, all names
/// that begin so. Python 2's names stand beside Python 3's.
struct Danger {
  std::string_view reason, names;
};

constexpr Danger kDangers[] = {
    // Classes of such modules that are no more than unknown: they read files beside the pickle.
    {"", "joblib.numpy_pickle.NDArrayWrapper joblib.numpy_pickle.ZNDArrayWrapper"},
    {"runs commands",
     "os posix nt subprocess _posixsubprocess _winapi _winreg winreg msvcrt _msi pty "
     "commands: popen2: platform: multiprocessing _multiprocessing asyncio _asyncio "
     "_osx_support _aix_support _pyrepl pydoc pydoc_data distutils test.support "
     "test.libregrtest test.regrtest test.script_helper test.test_support ensurepip pip "
     "setuptools pkg_resources venv virtualenv webbrowser antigravity: cgitb: turtledemo "
     "tkinter _tkinter Tkinter cmd: mailcap: uuid._popen uuid._get_command_stdout "
     "uuid._find_mac uuid._ifconfig_getter pexpect ptyprocess fabric paramiko invoke: sh: "
     "plumbum win32api win32com win32process pythoncom pywin apt_pkg dbus gi "
     "torch.utils.collect_env torch.utils.hipify torch.utils.cpp_extension "
     "torch._inductor torch._appdirs torch.backends.xeon torch.utils._triton "
     "torch.utils.data.datapipes torch.distributed.run torch.distributed.launch "
     "torch.distributed.launcher torch.distributed.elastic numpy.distutils "
     "numpy.f2py.compile numpy.ctypeslib numpy._pytesttester scipy.weave PIL.ImageShow "
     "PIL.ImageGrab PIL.EpsImagePlugin nltk.internals "},
    {"runs Python code",
     "builtins.eval builtins.exec builtins.execfile builtins.compile builtins.__import__ "
     "builtins.__build_class__ builtins.reload builtins.help importlib _frozen_importlib "
     "_frozen_importlib_external _imp imp: zipimport runpy: pkgutil: code: codeop: "
     "timeit: cProfile: _lsprof: profile: pstats: trace: pdb: bdb: doctest: idlelib "
     "types: new: compiler py_compile: compileall: rlcompleter: modulefinder: pyclbr: "
     "zipapp: tabnanny: unittest _testcapi _testinternalcapi _xxsubinterpreters "
     "_interpreters interpreters gettext.c2py gettext: typing.get_type_hints "
     "typing.ForwardRef typing._eval_type dataclasses.make_dataclass "
     "dataclasses._create_fn annotationlib logging.config logging.Formatter "
     "logging.StyleAdapter logging.shutdown optparse: site: _sitebuiltins: sitecustomize "
     "usercustomize lib2to3 turtle: IPython "
     "ipykernel jupyter_client notebook nbformat nbconvert ptpython bpython pytest "
     "_pytest py.test nose hypothesis numba llvmlite Cython cython pyximport weave sympy "
     "numexpr patsy asteval simpleeval RestrictedPython jinja2 mako tornado.template "
     "django.template django.core.management werkzeug flask yaml toolz.functoolz "
     "cytoolz.functoolz pandas.eval pandas.core.computation "
     "pandas.core.frame.DataFrame.query pandas.core.frame.DataFrame.eval "
     "statsmodels.formula.api numpy.testing numpy.f2py numpy.lib.utils "
     "numpy.lib._utils_impl numpy.core._internal._parseeval PIL.ImageMath torch.hub "
     "torch.jit torch.fx torch._dynamo torch.compiler torch._functorch torch._export "
     "torch.export torch.package torch.utils.bottleneck torch.utils.benchmark "
     "torch.utils.model_dump torch.utils.data._utils torch._classes torch.classes "
     "torch._ops torch.ops torch.library torch._library torch._lobpcg "
     "torch._running_with_deploy torch.utils._config_module torch.utils._import_utils "
     "torch.utils._sympy torch.utils.data.graph torch._vendor torch._torch_docs "
     "torch._custom_op torch._deploy torch.onnx torch.cuda._compile_kernel "
     "torch.cuda.jiterator torch._numpy.testing keras.models keras.saving "
     "keras.src.saving keras.src.models keras.src.legacy keras.layers.Lambda "
     "tensorflow.saved_model tensorflow.load_op_library tensorflow.load_library "
     "tensorflow.py_function tensorflow.numpy_function tensorflow_hub "
     "transformers.pipeline transformers.pipelines transformers.dynamic_module_utils "
     "transformers.tools transformers.utils.import_utils "
     "diffusers.utils.dynamic_modules_utils mlflow onnxscript fire: execnet mpi4py "
     "pyspark.cloudpickle ray.cloudpickle jax.experimental.host_callback "
     "keras.utils.get_file tensorflow.keras.models tensorflow.keras.utils tf_keras.models "
     "tf_keras.saving types.CodeType types.FunctionType types.LambdaType types.MethodType "
     "types.ModuleType types.new_class types.coroutine types.prepare_class "
     "types.resolve_bases torch.testing torch._C._jit* torch._C._import* torch._C._run* "
     "torch.quantization.quantize_fx torch.ao.quantization.quantize_fx ruamel.yaml.main "
     "past.builtins past.translation "},
    {"unpickles what it is given",
     "pickle _pickle cPickle pickle5 _compat_pickle pickletools dill cloudpickle joblib "
     "jsonpickle marshal shelve: copyreg copy_reg srsly "
     "numpy.load numpy.lib.npyio numpy.lib._npyio_impl "
     "numpy.lib.format numpy.core.multiarray.fromstring pandas.read_pickle pandas.io "
     "pandas.compat.pickle_compat torch.load torch.serialization "
     "torch.storage._load_from_bytes torch.utils.model_zoo torch.utils.show_pickle "
     "torch.utils._freeze torch._weights_only_unpickler torch.jit.mobile "
     "sklearn.externals.joblib skops.io scipy.io skimage.io fastai.learner.load_learner "
     "pyarrow.deserialize pyarrow.serialization pyspark.serializers ray.loads "
     "networkx.read_gpickle spacy.load nltk.data.load stable_baselines3.common.save_util "
     "statsmodels.iolib hickle klepto zodbpickle sqlitedict torch.distributed.rpc "
     "torch.distributed.distributed_c10d torch.distributed.checkpoint "
     "torch.distributed.nn torch.distributed.autograd "
     "torch.distributed.broadcast_object_list torch.distributed.all_gather_object "
     "gensim.utils torch._C._load* "},
    {"reaches any other function",
     "builtins.getattr builtins.setattr builtins.delattr builtins.hasattr builtins.vars "
     "builtins.globals builtins.locals builtins.dir builtins.map builtins.filter "
     "builtins.apply builtins.reduce builtins.iter builtins.type builtins.super "
     "builtins.memoryview builtins.property builtins.classmethod builtins.staticmethod "
     "builtins.object.__getattribute__ operator _operator functools _functools "
     "itertools.starmap itertools.accumulate itertools.takewhile itertools.dropwhile "
     "itertools.filterfalse itertools.groupby itertools.imap itertools.ifilter inspect: "
     "gc: ctypes _ctypes cffi _cffi_backend weakref.finalize weakref.WeakMethod "
     "contextlib.ExitStack contextlib.AsyncExitStack contextlib.contextmanager "
     "contextlib._GeneratorContextManager contextlib.closing sched: threading _thread: "
     "thread: dummy_threading: _dummy_thread: traceback: six.moves numpy.vectorize "
     "numpy.apply_along_axis numpy.apply_over_axes numpy.frompyfunc numpy.fromfunction "
     "numpy.fromiter numpy.piecewise numpy.lib.function_base "
     "numpy.lib._function_base_impl numpy.lib.shape_base numpy.lib._shape_base_impl "
     "numpy.core.numeric.fromfunction scipy.LowLevelCallable torch.utils._pytree "
     "torch.utils._cxx_pytree torch.utils.checkpoint torch.overrides torch.func "
     "torch.vmap torch.cond torch.compile torch.utils._device "
     "torch.utils._python_dispatch torch._jit_internal torch._C._dlpack toolz cytoolz "
     "more_itertools wrapt decorator: zope.interface pyparsing.core.Forward concurrent "
     "string.Formatter past.utils future.utils future.builtins future.moves "
     "torch._higher_order_ops "},
    {"reaches files",
     "builtins.open builtins.file shutil tempfile: io _io _pyio codecs.open "
     "codecs.EncodedFile codecs.StreamReader codecs.StreamWriter "
     "codecs.StreamReaderWriter fileinput: linecache: zipfile tarfile gzip.open "
     "gzip.GzipFile bz2.open bz2.BZ2File lzma.open lzma.LZMAFile glob: fnmatch.filter "
     "filecmp: posixpath ntpath genericpath os.path macpath: pathlib mmap: sqlite3 "
     "_sqlite3 dbm _dbm _gdbm anydbm: dumbdbm: gdbm: whichdb: mailbox: netrc: pwd: grp: "
     "spwd: nis: logging.FileHandler logging.basicConfig logging.handlers "
     "argparse.FileType configparser.ConfigParser.read csv.reader wave.open sunau.open "
     "aifc.open xml.etree.ElementTree.parse xml.sax xml.dom.minidom.parse plistlib.load "
     "ssl.SSLContext.load_cert_chain numpy.memmap numpy.core.memmap numpy._core.memmap "
     "numpy.fromfile numpy.core.multiarray.fromfile numpy._core.multiarray.fromfile "
     "numpy.loadtxt numpy.genfromtxt numpy.save numpy.savez numpy.savez_compressed "
     "numpy.savetxt numpy.DataSource numpy.lib._datasource numpy.ndarray.tofile "
     "numpy.ndarray.dump pandas.read_csv pandas.read_json pandas.read_table "
     "pandas.read_html pandas.read_sql pandas.read_excel pandas.read_hdf pandas.HDFStore "
     "PIL.Image.open torch.save torch.from_file torch.UntypedStorage.from_file "
     "torch.utils.tensorboard torch.utils.file_baton torch.cuda.memory onnx.load "
     "onnx.external_data_helper safetensors.torch torchvision.io torchaudio.load "
     "soundfile torch.multiprocessing h5py.File cv2.imread imageio.imread tensorflow.io "},
    {"reaches the network",
     "socket _socket ssl _ssl http urllib urllib2 urllib3 urlparse: requests httplib "
     "httplib2 httpx ftplib: smtplib: smtpd: poplib: imaplib: nntplib: telnetlib: xmlrpc "
     "xmlrpclib SimpleXMLRPCServer DocXMLRPCServer socketserver SocketServer "
     "BaseHTTPServer SimpleHTTPServer CGIHTTPServer Cookie: cookielib: robotparser: "
     "wsgiref cgi: asyncore: asynchat: aiohttp websocket websockets tornado twisted zmq "
     "dns boto boto3 botocore s3fs gcsfs adlfs fsspec google.cloud azure huggingface_hub "
     "pymongo redis psycopg2 MySQLdb transformers.utils.hub datasets.load_dataset "
     "torch.utils.data.datapipes.iter.httpreader gdown: wget: "},
    {"changes the process",
     "fickling picklescan modelscan builtins.input builtins.raw_input builtins.breakpoint "
     "builtins.exit builtins.quit "
     "builtins.print builtins.license builtins.credits builtins.copyright builtins.intern "
     "sys _sys signal: _signal atexit: faulthandler: resource: tracemalloc: readline: "
     "curses fcntl: termios: tty: select: selectors: syslog: crypt: time.sleep "
     "locale.setlocale warnings.showwarning codecs.register zoneinfo.reset_tzpath "
     "getpass: psutil torch.distributed.init_process_group "},
};

bool is_or_in(std::string_view name, std::string_view outer) {
  return name.starts_with(outer) && (name.size() == outer.size() || name[outer.size()] == '.');
}

bool matches(std::string_view entry, std::string_view module, std::string_view whole) {
  const char sign = entry.back();
  if (sign != ':' && sign != '*') return is_or_in(whole, entry);
  entry.remove_suffix(1);
  return sign == ':' ? module == entry : whole.starts_with(entry);
}

}  // namespace

std::string_view danger_of_global(std::string_view module, std::string_view name) {
  // Blanks around a module's name do not make it another one for every reader.
  while (module.ends_with(' ') || module.ends_with('\t') || module.ends_with('\r')) {
    module.remove_suffix(1);
  }
  if (module == "__builtin__" || module == "__builtins__") module = "builtins";
  const std::string whole = std::string(module) + "." + std::string(name);
  // The most exact entry says best what a name does.
  std::string_view best, reason;
  for (const Danger& danger : kDangers) {
    for (std::string_view rest = danger.names; !rest.empty();) {
      const size_t space = rest.find(' ');
      const std::string_view entry = rest.substr(0, space);
      rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
      if (entry.size() > best.size() && matches(entry, module, whole)) {
        best = entry;
        reason = danger.reason;
      }
    }
  }
  return reason;
}

}  // namespace lanthorn
