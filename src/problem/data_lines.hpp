#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace riskcurve {

/// `text` without blanks around it.
std::string_view trimmed(std::string_view text);

/// The lines of a text, which end in LF, CR LF or CR.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  /// The next line; false where there is none.
  bool next(std::string_view& line);
  /// Appends the next line to the one that `next` gave.
  bool join(std::string_view& line);
  std::size_t number() const { return number_; }  ///< of the last line, from 1

 private:
  std::string_view text_;
  std::size_t begin_ = 0, end_ = 0;  ///< of what was given last; end_ after its line end
  std::size_t feed_ = 0;             ///< the first LF from end_ on, or before it: not yet known
  std::size_t number_ = 0;
};

/// The cells of a line, trimmed, without the quotes around them.
struct Cells {
  std::vector<std::string_view> text;
  char mark = ' ';            ///< what separates them: , or ; or a blank for any number of blanks
  bool ends_in_mark = false;  ///< a comma or semicolon; the last cell is then empty
  std::size_t quoted = 0;     ///< how many were in quotes
  bool open = false;          ///< the last cell begins with a quote that does not end
};

/// Cells are separated by semicolons where there are any; else by blanks, where that leaves numbers
/// with decimal commas ("1,5 2,5"); else by commas where there are any; else by blanks. Quoted ones
/// are as in RFC 4180: a mark within quotes separates nothing.
void split(std::string_view line, Cells& cells);

}  // namespace riskcurve
