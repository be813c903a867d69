# Run as a service's account, in its data folder: takes away whatever appears under the names it is given, and puts a link in its place,
# so that whoever works there next writes, reads or hands over what the link leads to. It strikes with a chance, so that some work comes to its end.
# Ends after an hour.
use strict;
use warnings;
my ($folder, $targets, $chance, @names) = @ARGV;
my @targets = split /,/, $targets;
my (%seen, $count);
my $end = time + 3600;
while (time < $end) {
  chdir $folder or exit;
  mkdir '.vestal-grave';
  for my $name (@names) {
    if (-l $name) { unlink $name if rand() < 0.1; next }
    unless (-d $name || -f $name) { delete $seen{$name}; next }
    next if $seen{$name}++;
    next if rand() >= $chance;
    rename $name, '.vestal-grave/' . ++$count;
    symlink $targets[rand @targets], $name;
    if ($name =~ /backup/ && open(my $file, '>', 'wal/zz-planted')) { print $file "planted\n" }
  }
  select undef, undef, undef, 0.0005;
}
